-- The data is made by hashing row numbers, so that every load makes the same rows, whatever order the
-- steps run in. Only the dates move: they end at the hour of the load, or a demo would look abandoned.
-- load.ts drops these functions when the rows are made.

-- A number from 0 to below 1 that depends only on the key and the salt.
create function chance(key bigint, salt bigint) returns float8 immutable parallel safe
return (hashint8extended(key, salt) & 1048575) / 1048576.0::float8;

-- One of 1 … n. Skew 1 is uniform; from 2 on it is a power law: a few are picked very often.
create function pick(key bigint, salt bigint, n bigint, skew float8) returns bigint immutable parallel safe
return 1 + floor(n * power(chance(key, salt), skew))::bigint;

-- One of the words, the first most often.
create function word(key bigint, salt bigint, words text[]) returns text immutable parallel safe
return words[pick(key, salt, cardinality(words), 1.7)];

create function address(key bigint, salt bigint) returns text immutable parallel safe
return '0x' || md5(salt || ':' || key) || left(md5(key || ':' || salt), 8);

-- When the demo's 90 days of history begin.
create function first_day() returns timestamptz stable parallel safe
return date_trunc('hour', now()) - interval '90 days';
