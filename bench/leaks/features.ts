/** What a program also does, some of it rarely: each is compiled, and its module loaded, when it is first needed. */
import type { Random } from './random.ts';

type Feature = (text: string) => unknown;

const features: readonly Feature[] = [
  (text) => text.split(/[,:]/).length,
  (text) => new URL(`https://example.com/?q=${encodeURIComponent(text.slice(0, 100))}`).searchParams.get('q'),
  (text) => structuredClone({ text, at: new Date(0) }),
  async (text) => (await import('node:crypto')).createHash('sha256').update(text).digest('hex'),
  (text) => new TextDecoder().decode(new TextEncoder().encode(text)),
  async (text) => (await import('node:zlib')).gzipSync(text).length,
  (text) => new Intl.NumberFormat('de').format(text.length),
  async (text) => (await import('node:querystring')).parse(text.slice(0, 200)),
  (text) => BigInt(text.length) ** 20n,
  async (text) => (await import('node:util')).inspect({ text, nested: { list: [1, 2, { three: 3 }] } }, { depth: 5 }),
  (text) => new Intl.DateTimeFormat('en', { dateStyle: 'full', timeZone: 'UTC' }).format(new Date(text.length)),
  async (text) =>
    (await import('node:stream/promises')).pipeline(
      [text, text],
      async function* (source) {
        yield* source;
      },
      async (source) => {
        for await (const _ of source);
      },
    ),
  (text) => [...new Intl.Segmenter('en', { granularity: 'word' }).segment(text.slice(0, 200))].length,
  (text) => text.replaceAll(/(?<key>"\w+")/g, '<$<key>>').length,
];

/** Uses one of the features: the first ones often, the last ones rarely. */
export async function useFeature(random: Random): Promise<void> {
  const place = Math.floor((features.length * 60) ** random.next()) - 1;
  await features[place % features.length]?.(`{"id":${random.below(1_000)},"name":"a row","tags":["a","b"]}`);
}
