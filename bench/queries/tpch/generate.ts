/**
 * Data for the TPC-H tables, made by PostgreSQL itself: the cardinalities, value ranges and dependencies of the public specification
 * (TPC Benchmark H 3.0.1, clause 4.2.3, https://www.tpc.org/tpch/), with random numbers that are the same in every run. The grammar
 * of the comments is simpler than the specification's; the words that its queries look for are in them as often.
 */

const list = (words: string) => `'{${words.trim().split(/\s+/).join(',')}}'::text[]`;

const colours = list(`
  almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished chartreuse chiffon
  chocolate coral cornflower cornsilk cream cyan dark deep dim dodger drab firebrick floral forest frosted gainsboro ghost
  goldenrod green grey honeydew hot indian ivory khaki lace lavender lawn lemon light lime linen magenta maroon medium
  metallic midnight mint misty moccasin navajo navy olive orange orchid pale papaya peach peru pink plum powder puff purple
  red rose rosy royal saddle salmon sandy seashell sienna sky slate smoke snow spring steel tan thistle tomato turquoise
  violet wheat white yellow`);

const words = list(`
  foxes ideas theodolites pinto beans instructions dependencies excuses platelets asymptotes courts dolphins accounts packages
  sleep wake are cajole haggle nag use boost affix detect integrate furious sly careful blithe quick fluffy slow quiet
  express bold regular final ironic even silent about above according to across after against along`);

const nations = [
  ['ALGERIA', 0],
  ['ARGENTINA', 1],
  ['BRAZIL', 1],
  ['CANADA', 1],
  ['EGYPT', 4],
  ['ETHIOPIA', 0],
  ['FRANCE', 3],
  ['GERMANY', 3],
  ['INDIA', 2],
  ['INDONESIA', 2],
  ['IRAN', 4],
  ['IRAQ', 4],
  ['JAPAN', 2],
  ['JORDAN', 4],
  ['KENYA', 0],
  ['MOROCCO', 0],
  ['MOZAMBIQUE', 0],
  ['PERU', 1],
  ['CHINA', 2],
  ['ROMANIA', 3],
  ['SAUDI ARABIA', 4],
  ['VIETNAM', 2],
  ['RUSSIA', 3],
  ['UNITED KINGDOM', 3],
  ['UNITED STATES', 1],
] as const;

/** A whole number from `least` to `most`, each as likely. */
const between = (least: number | string, most: number | string) =>
  `(${least} + floor(random() * (${most} - ${least} + 1)))::int`;

/** One of the items of an array. */
const oneOf = (array: string) => `(${array})[1 + floor(random() * cardinality(${array}))::int]`;

const several = (count: number, of: string) =>
  `concat_ws(' ', ${Array.from({ length: count }, () => oneOf(of)).join(', ')})`;

const comment = several(5, words);

const phone = (nation: string) =>
  `concat(10 + ${nation}, '-', ${between(100, 999)}, '-', ${between(100, 999)}, '-', ${between(1000, 9999)})`;

const money = (least: number, most: number) => `${between(least * 100, most * 100)}::numeric / 100`;

/**
 * The statements that fill the eight tables, which are empty.
 *
 * @param scale the scale factor: 1 is 6 million order lines
 */
export function fillTpch(scale: number): string[] {
  const [suppliers, parts, customers] = [10_000, 200_000, 150_000].map((count) =>
    Math.max(100, Math.round(count * scale)),
  );
  const orders = 10 * (customers as number);
  const retailPrice = (part: string) => `(90000 + (${part} / 10) % 20001 + 100 * (${part} % 1000))::numeric / 100`;
  // Clause 4.2.3: the four suppliers of a part.
  const supplierOf = (part: string, which: string) =>
    `(${part} + ${which} * (${suppliers} / 4 + (${part} - 1) / ${suppliers})) % ${suppliers} + 1`;
  return [
    'select setseed(0.42)',
    `insert into region select key - 1, name, 'a region' from unnest('{AFRICA,AMERICA,ASIA,EUROPE,"MIDDLE EAST"}'::text[]) with ordinality as r(name, key)`,
    `insert into nation values ${nations.map(([name, region], key) => `(${key}, '${name}', ${region}, 'a nation')`).join(', ')}`,
    `insert into supplier
     select key, concat('Supplier#', lpad(key::text, 9, '0')), concat('address ', key), nation, ${phone('nation')},
       ${money(-999, 9999)},
       -- Clause 4.2.3: 5 in 10,000 have complaints, 5 recommends.
       case when key % 2000 = 7 then 'Customer slow Complaints' when key % 2000 = 8 then 'Customer bold Recommends' else ${comment} end
     from (select key, ${between(0, 24)} as nation from generate_series(1, ${suppliers}) key) s`,
    `insert into part
     select key, ${several(5, colours)},
       concat('Manufacturer#', maker), concat('Brand#', maker, ${between(1, 5)}),
       concat_ws(' ', ${oneOf(list('STANDARD SMALL MEDIUM LARGE ECONOMY PROMO'))}, ${oneOf(list('ANODIZED BURNISHED PLATED POLISHED BRUSHED'))}, ${oneOf(list('TIN NICKEL BRASS STEEL COPPER'))}),
       ${between(1, 50)},
       concat_ws(' ', ${oneOf(list('SM LG MED JUMBO WRAP'))}, ${oneOf(list('CASE BOX BAG JAR PKG PACK CAN DRUM'))}),
       ${retailPrice('key')}, 'a part'
     from (select key, ${between(1, 5)} as maker from generate_series(1, ${parts}) key) p`,
    `insert into partsupp
     select part, ${supplierOf('part', 'which')}, ${between(1, 9_999)}, ${money(1, 1_000)}, ${comment}
     from generate_series(1, ${parts}) part, generate_series(0, 3) which
     on conflict do nothing`,
    `insert into customer
     select key, concat('Customer#', lpad(key::text, 9, '0')), concat('address ', key), nation, ${phone('nation')},
       ${money(-999, 9999)}, ${oneOf(list('AUTOMOBILE BUILDING FURNITURE MACHINERY HOUSEHOLD'))}, ${comment}
     from (select key, ${between(0, 24)} as nation from generate_series(1, ${customers}) key) c`,
    // Clause 4.2.3: a third of the customers have no order, and of each 32 keys eight are used.
    `insert into orders
     select ((n - 1) / 8) * 32 + (n - 1) % 8 + 1, customer + case when customer % 3 = 0 then 1 else 0 end, 'P', 0,
       date '1992-01-01' + ${between(0, 2405)},
       ${oneOf(`'{1-URGENT,2-HIGH,3-MEDIUM,"4-NOT SPECIFIED",5-LOW}'::text[]`)},
       concat('Clerk#', lpad(${between(1, Math.max(1, Math.round(1_000 * scale)))}::text, 9, '0')), 0,
       case when random() < 0.012 then concat(${oneOf(words)}, ' special ', ${oneOf(words)}, ' requests') else ${comment} end
     from (select n, ${between(1, (customers as number) - 1)} as customer from generate_series(1, ${orders}) n) o`,
    `insert into lineitem
     select o_orderkey, part, ${supplierOf('part', 'which')}, line, quantity, quantity * ${retailPrice('part')},
       ${between(0, 10)}::numeric / 100, ${between(0, 8)}::numeric / 100,
       case when received > date '1995-06-17' then 'N' when random() < 0.5 then 'R' else 'A' end,
       case when shipped > date '1995-06-17' then 'O' else 'F' end,
       shipped, o_orderdate + ${between(30, 90)}, received,
       ${oneOf(`'{"DELIVER IN PERSON","COLLECT COD",NONE,"TAKE BACK RETURN"}'::text[]`)},
       ${oneOf(`'{"REG AIR",AIR,RAIL,SHIP,TRUCK,MAIL,FOB}'::text[]`)}, ${several(3, words)}
     from (
       select o_orderkey, o_orderdate, line, ${between(1, parts as number)} as part, ${between(0, 3)} as which,
         ${between(1, 50)} as quantity, shipped, shipped + ${between(1, 30)} as received
       from (
         select o_orderkey, o_orderdate, line, o_orderdate + ${between(1, 121)} as shipped
         from (select o_orderkey, o_orderdate, ${between(1, 7)} as lines from orders) o, generate_series(1, 7) line
         where line <= lines
       ) dated
     ) l`,
    `update orders set o_orderstatus = case when s.open = 0 then 'F' when s.open = s.lines then 'O' else 'P' end, o_totalprice = s.total
     from (
       select l_orderkey, count(*) as lines, count(*) filter (where l_linestatus = 'O') as open,
         sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as total
       from lineitem group by l_orderkey
     ) s where s.l_orderkey = o_orderkey`,
    'vacuum analyze',
  ];
}
