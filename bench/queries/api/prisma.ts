import type { ApiQuery } from './query.ts';

/** As Prisma's query engine writes them: every name in quotes and with its schema, every value a parameter. */
export const prisma: readonly ApiQuery[] = [
  {
    name: 'Prisma: findUnique',
    sql: `SELECT "public"."Customer"."id", "public"."Customer"."email", "public"."Customer"."firstName", "public"."Customer"."createdAt" FROM "public"."Customer" WHERE ("public"."Customer"."id" = $1 AND 1=1) LIMIT $2 OFFSET $3`,
    values: ['cus_1', 1, 0],
  },
  {
    name: 'Prisma: findMany by enum',
    sql: `SELECT "public"."Order"."id", "public"."Order"."status"::text, "public"."Order"."totalCents" FROM "public"."Order" WHERE ("public"."Order"."status" = CAST($1::text AS "public"."OrderStatus") AND "public"."Order"."placedAt" >= $2) ORDER BY "public"."Order"."placedAt" DESC LIMIT $3 OFFSET $4`,
    values: ['PAID', '2026-01-01', 20, 0],
  },
  {
    name: 'Prisma: include',
    sql: `SELECT "public"."OrderItem"."id", "public"."OrderItem"."orderId", "public"."OrderItem"."quantity" FROM "public"."OrderItem" WHERE "public"."OrderItem"."orderId" IN ($1,$2,$3) OFFSET $4`,
    values: [
      'e1a3f1a2-0000-4000-8000-000000000001',
      'e1a3f1a2-0000-4000-8000-000000000002',
      'e1a3f1a2-0000-4000-8000-000000000003',
      0,
    ],
  },
  {
    name: 'Prisma: include with relationJoins',
    sql: `SELECT "t1"."id", "t1"."status"::text, "Order_items"."__prisma_data__" AS "items" FROM "public"."Order" AS "t1" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), '[]') AS "__prisma_data__" FROM (SELECT "t3"."__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT('id', "t2"."id", 'quantity', "t2"."quantity", 'productId', "t2"."productId") AS "__prisma_data__" FROM (SELECT "t2".* FROM "public"."OrderItem" AS "t2" WHERE "t1"."id" = "t2"."orderId" /* root select */) AS "t2" /* inner select */) AS "t3" /* middle select */) AS "t4" /* outer select */) AS "Order_items" ON TRUE WHERE "t1"."customerId" = $1 ORDER BY "t1"."placedAt" ASC`,
    values: ['cus_1'],
  },
  {
    name: 'Prisma: some',
    sql: `SELECT "public"."Customer"."id" FROM "public"."Customer" WHERE ("public"."Customer"."id") IN (SELECT "t1"."customerId" FROM "public"."Order" AS "t1" WHERE ("t1"."totalCents" > $1 AND "t1"."customerId" IS NOT NULL)) OFFSET $2`,
    values: [5000, 0],
  },
  {
    name: 'Prisma: none',
    sql: `SELECT "t0"."id" FROM "public"."Product" AS "t0" LEFT JOIN "public"."OrderItem" AS "j0" ON ("j0"."productId") = ("t0"."id") WHERE ("t0"."deletedAt" IS NULL AND ("j0"."id" IS NULL)) ORDER BY "t0"."id" ASC LIMIT $1 OFFSET $2`,
    values: [10, 0],
  },
  {
    name: 'Prisma: contains, insensitive',
    sql: `SELECT "public"."Product"."id", "public"."Product"."name" FROM "public"."Product" WHERE ("public"."Product"."name"::text ILIKE $1 OR "public"."Product"."sku"::text LIKE $2) OFFSET $3`,
    values: ['%lamp%', 'LA-%', 0],
  },
  {
    name: 'Prisma: array has',
    sql: `SELECT "public"."Product"."id" FROM "public"."Product" WHERE ("public"."Product"."tags" @> $1 AND "public"."Product"."tags" && $2) OFFSET $3`,
    values: [['new'], ['lamp', 'light'], 0],
  },
  {
    name: 'Prisma: JSON path',
    sql: `SELECT "public"."Product"."id" FROM "public"."Product" WHERE ("public"."Product"."attributes"#>ARRAY[$1,$2]::text[])::jsonb = $3::jsonb OFFSET $4`,
    values: ['size', 'unit', '"cm"', 0],
  },
  {
    name: 'Prisma: cursor',
    sql: `SELECT "public"."Product"."id", "public"."Product"."name" FROM "public"."Product", (SELECT "public"."Product"."priceCents" AS "Product_priceCents_0" FROM "public"."Product" WHERE ("public"."Product"."id") = ($1)) AS "order_cmp" WHERE "public"."Product"."priceCents" >= "order_cmp"."Product_priceCents_0" ORDER BY "public"."Product"."priceCents" ASC LIMIT $2 OFFSET $3`,
    values: [3, 11, 0],
  },
  {
    name: 'Prisma: count',
    sql: `SELECT COUNT(*) FROM (SELECT "public"."Order"."id" FROM "public"."Order" WHERE "public"."Order"."customerId" = $1 OFFSET $2) AS "sub"`,
    values: ['cus_1', 0],
  },
  {
    name: 'Prisma: groupBy',
    sql: `SELECT COUNT(*), SUM("public"."Order"."totalCents"), "public"."Order"."status"::text FROM "public"."Order" WHERE 1=1 GROUP BY "public"."Order"."status" HAVING COUNT("public"."Order"."id") > $1 ORDER BY COUNT("public"."Order"."id") DESC OFFSET $2`,
    values: [1, 0],
  },
  {
    name: 'Prisma: create',
    sql: `INSERT INTO "public"."Customer" ("id","email","firstName","createdAt","metadata") VALUES ($1,$2,$3,$4,$5) RETURNING "public"."Customer"."id", "public"."Customer"."email"`,
    values: ['cus_new', 'new@example.com', 'New', '2026-01-02 03:04:05.678 UTC', '{"source":"web"}'],
  },
  {
    name: 'Prisma: createMany',
    sql: `INSERT INTO "public"."Product" ("sku","name","priceCents","tags") VALUES ($1,$2,$3,$4), ($5,$6,$7,DEFAULT) ON CONFLICT DO NOTHING`,
    values: ['LA-1', 'Lamp', 1999, ['new'], 'LA-2', 'Light', 2999],
  },
  {
    name: 'Prisma: update',
    sql: `UPDATE "public"."Order" SET "status" = CAST($1::text AS "public"."OrderStatus"), "totalCents" = ("public"."Order"."totalCents" + $2) WHERE ("public"."Order"."id" = $3 AND 1=1) RETURNING "public"."Order"."id", "public"."Order"."status"::text`,
    values: ['SHIPPED', 100, 'e1a3f1a2-0000-4000-8000-000000000001'],
  },
  {
    name: 'Prisma: upsert',
    sql: `INSERT INTO "public"."Customer" ("id","email","createdAt") VALUES ($1,$2,$3) ON CONFLICT ("email") DO UPDATE SET "firstName" = $4 WHERE ("public"."Customer"."email" = $5 AND 1=1) RETURNING "public"."Customer"."id"`,
    values: ['cus_2', 'new@example.com', '2026-01-02', 'Newer', 'new@example.com'],
  },
  {
    name: 'Prisma: deleteMany',
    sql: `DELETE FROM "public"."OrderItem" WHERE ("public"."OrderItem"."id") IN (SELECT "t0"."id" FROM "public"."OrderItem" AS "t0" INNER JOIN "public"."Order" AS "j0" ON ("j0"."id") = ("t0"."orderId") WHERE ("j0"."status" = CAST($1::text AS "public"."OrderStatus") AND "t0"."id" IS NOT NULL))`,
    values: ['CANCELLED'],
  },
  {
    name: 'Prisma: $queryRaw',
    sql: `SELECT date_trunc($1, "placedAt") AS bucket, SUM("totalCents")::float / $2 AS total FROM "Order" WHERE "placedAt" > NOW() - $3::interval GROUP BY bucket ORDER BY bucket`,
    values: ['day', 100, '30 days'],
  },
];
