import { activerecord } from './activerecord.ts';
import { builders } from './builders.ts';
import { django } from './django.ts';
import { everyday } from './everyday.ts';
import { handwritten } from './handwritten.ts';
import { prisma } from './prisma.ts';
import type { ApiQuery } from './query.ts';
import { services } from './services.ts';
import { typeorm } from './typeorm.ts';

/**
 * Statements of APIs over the tables of schema.ts: what mappers, query builders and servers send, written as they write it, and
 * what people write. They run on an empty database, one after the other, from PostgreSQL 13 on.
 */
export const queries: readonly ApiQuery[] = [
  ...everyday,
  ...prisma,
  ...typeorm,
  ...activerecord,
  ...django,
  ...builders,
  ...services,
  ...handwritten,
];
