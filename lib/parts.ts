/** What an audit of a database can look at. */
export const databaseParts = ['indexes', 'queries'] as const;

/** One of {@link databaseParts}. */
export type DatabasePart = (typeof databaseParts)[number];

/** What an audit can look at. The cache and the functions belong to no database: what is found in them stands with the first one. */
export const parts = [...databaseParts, 'cache', 'resources'] as const;

/** One of {@link parts}. */
export type Part = (typeof parts)[number];
