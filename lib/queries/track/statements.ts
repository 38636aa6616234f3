import { BoundedMap } from './bounded.ts';
import { digestOfText, digestOfValues } from './digest.ts';
import { type MaskedText, maskText } from './mask.ts';
import { type Purpose, purposeOf } from './purpose.ts';
import type { RepetitionKind } from './repetition.ts';
import { Sketch } from './sketch.ts';

/** What belongs to no other statement once there are as many as are kept apart. */
export const others = '(others)';

/** So many texts are remembered for each statement: applications that write values into their texts have many. */
const textsPerStatement = 4;

/** Longer texts are masked at every call: few are, and remembering them takes memory. */
const maxRememberedLength = 8_192;

/** So many characters are remembered of texts, and so many of masked ones. */
const maxRememberedCharacters = 1_000_000;

/** Where a statement was called again and again within one invocation. */
export interface Repetition {
  /** In how many invocations. */
  invocations: number;
  /** How often in the worst of them. */
  mostCalls: number;
  /** What it was there. */
  kind: RepetitionKind;
  /** The place in the code from which it was called there, as a path with line and column; null when it is not known. */
  place: string | null;
}

/** One statement, and what it did. Times in milliseconds. */
export class Tracked {
  readonly query: string;
  readonly purpose: Purpose;
  calls = 0;
  errors = 0;
  rows = 0;
  totalMs = 0;
  maxMs = 0;
  /** What its calls through the pool waited for a connection. */
  waitMs = 0;
  slowCalls = 0;
  /** Of the calls that were sent. */
  readonly times = new Sketch();
  repetition: Repetition | undefined;

  constructor(query: string) {
    this.query = query;
    this.purpose = purposeOf(query);
  }
}

/** What is known of a text. */
export interface KnownText {
  statement: Tracked;
  /** A digest of the constants in it. */
  constants: number;
}

/** The statements by their texts. A text is masked once. Neither texts nor statements become too many. */
export class Statements {
  readonly #max: number;
  /** Texts without constants and comments alone: nothing else of the application's is kept. */
  readonly #byText: BoundedMap<string, KnownText>;
  /** The others, by their digests. */
  readonly #byDigest: BoundedMap<number, KnownText>;
  /** By masked texts. */
  readonly #byQuery: BoundedMap<string, Tracked>;
  readonly #byShape = new Map<string, Tracked>();

  constructor(max: number) {
    this.#max = max;
    this.#byText = new BoundedMap(textsPerStatement * max, maxRememberedCharacters);
    this.#byDigest = new BoundedMap(textsPerStatement * max, maxRememberedCharacters);
    this.#byQuery = new BoundedMap(textsPerStatement * max, maxRememberedCharacters);
  }

  /** What is known of a text: of one that is new, what can be found out. */
  of(text: string): KnownText {
    const known = this.#byText.get(text);
    if (known) return known;
    if (text.length > maxRememberedLength) return this.#read(maskText(text));
    const digest = digestOfText(text);
    return this.#byDigest.get(digest) ?? this.#remember(text, digest);
  }

  all(): Tracked[] {
    return [...this.#byShape.values()];
  }

  #remember(text: string, digest: number): KnownText {
    const masked = maskText(text);
    const known = this.#read(masked);
    if (masked.isPlain) this.#byText.add(text, known);
    else this.#byDigest.add(digest, known);
    return known;
  }

  #read({ query, constants }: MaskedText): KnownText {
    return { statement: this.#byQuery.get(query) ?? this.#find(query), constants: digestOfValues(constants) };
  }

  #find(masked: string): Tracked {
    const query = detached(masked);
    const shape = shapeOf(query);
    const statement = this.#byShape.get(shape) ?? this.#make(shape, query);
    this.#byQuery.add(query, statement);
    return statement;
  }

  #make(shape: string, query: string): Tracked {
    if (this.#byShape.size >= this.#max && shape !== others)
      return this.#byShape.get(others) ?? this.#make(others, others);
    const statement = new Tracked(query);
    this.#byShape.set(shape, statement);
    return statement;
  }
}

/** A copy. A part of a text may keep the whole text in the memory, with what was taken out of it. */
function detached(part: string): string {
  return ` ${part}`.slice(1);
}

/**
 * What texts have in common that differ in the number of parameters in a list: object mappers write as many into an IN as
 * there are items. Fingerprints do not tell them apart either.
 */
function shapeOf(query: string): string {
  return query
    .replaceAll(/\$\d+/g, '$')
    .replaceAll(/(\bin ?\(|\barray ?\[) ?\$(?: ?, ?\$)+ ?(?=[)\]])/gi, '$1$$')
    .replaceAll(/(\([$, ]*\))(?: ?, ?\1)+/g, '$1');
}
