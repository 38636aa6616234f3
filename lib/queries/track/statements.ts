import { Histogram } from '../../cache/histogram.ts';
import { maskText } from './mask.ts';

/** What belongs to no other statement once there are as many as are kept apart. */
export const others = '(others)';

/** So many texts are remembered for each statement: applications that write values into their texts have many. */
const textsPerStatement = 4;

/** Longer texts are masked at every call: few are, and remembering them takes memory. */
const maxRememberedLength = 8_192;

/** Whose calls are no questions: the same ones come again and again in any application. */
const controls: ReadonlySet<string> = new Set(
  'abort begin commit deallocate discard end listen notify release reset rollback savepoint set show start unlisten'.split(
    ' ',
  ),
);

/** Where a statement was called again and again within one invocation. */
export interface Repetition {
  /** In how many invocations. */
  invocations: number;
  /** How often in the worst of them. */
  mostCalls: number;
  /** The place in the code, as a path with line and column; null when it is not known. */
  place: string | null;
}

/** One statement, and what it did. Times in milliseconds. */
export class Tracked {
  readonly query: string;
  readonly isControl: boolean;
  calls = 0;
  errors = 0;
  rows = 0;
  totalMs = 0;
  maxMs = 0;
  /** What its calls through the pool waited for a connection. */
  waitMs = 0;
  slowCalls = 0;
  readonly histogram = new Histogram();
  repetition: Repetition | undefined;

  constructor(query: string) {
    this.query = query;
    this.isControl = controls.has(/^\w*/.exec(query)?.[0].toLowerCase() ?? '');
  }
}

/** The statements by their texts. A text is masked once, and both the texts and the statements are bounded. */
export class Statements {
  readonly #max: number;
  readonly #byText = new Map<string, Tracked>();
  readonly #byQuery = new Map<string, Tracked>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The statement of a text. */
  of(text: string): Tracked {
    return this.#byText.get(text) ?? this.#read(text);
  }

  all(): Tracked[] {
    return [...this.#byQuery.values()];
  }

  #read(text: string): Tracked {
    const statement = this.#named(maskText(text));
    if (text.length > maxRememberedLength) return statement;
    if (this.#byText.size >= textsPerStatement * this.#max) {
      const [oldest = ''] = this.#byText.keys();
      this.#byText.delete(oldest);
    }
    this.#byText.set(text, statement);
    return statement;
  }

  #named(query: string): Tracked {
    const known = this.#byQuery.get(query);
    if (known) return known;
    if (this.#byQuery.size >= this.#max && query !== others) return this.#named(others);
    const statement = new Tracked(query);
    this.#byQuery.set(query, statement);
    return statement;
  }
}
