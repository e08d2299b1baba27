// Everything that the page keeps of every candidate: columns of numbers, one row a candidate number. A row costs less
// than a hundred bytes, so that a hundred thousand fit in ten megabytes; words stay in the daemon and are fetched on demand.

/** Rows at most; beyond it the page says that it shows less than everything. */
export const MAX_CANDIDATES = 1 << 20;
/** No parent, no gate, no arm. */
export const NONE = 0xff;

/** Where a candidate stands, as a small number that a column can hold. */
export const Fate = {
  absent: 0,
  requested: 1,
  proposed: 2,
  evaluating: 3,
  archived: 4,
  accepted: 5,
  rejected: 6,
  revoked: 7,
  abandoned: 8,
  discarded: 9,
} as const;
export type Fate = (typeof Fate)[keyof typeof Fate];

export const FATE_WORDS = [
  'absent',
  'requested',
  'proposed',
  'evaluating',
  'viable',
  'accepted',
  'rejected',
  'revoked',
  'abandoned',
  'discarded',
] as const;

/** Bits of the `marks` column. */
export const Mark = { front: 1, champion: 2, wasChampion: 4, violation: 8 } as const;

export const isViable = (fate: number): boolean => fate === Fate.archived || fate === Fate.accepted;
export const hasVerdict = (fate: number): boolean => fate >= Fate.archived && fate <= Fate.revoked;

/** Columns over candidate numbers; `count` rows are in use. */
export class Candidates {
  count = 0;
  capacity: number;
  parent: Int32Array;
  parent2: Int32Array;
  /** Weighted improvement on the baseline, positive is better; NaN before it is measured. */
  score: Float32Array;
  /** Seconds since the run began at which its evaluation ended; NaN before. */
  time: Float64Array;
  /** Evaluations started when its own was; 0 for the baseline. */
  evaluation: Uint32Array;
  /** US dollars spent on models when its evaluation ended. */
  spent: Float32Array;
  /** The events that asked for it, answered, started and ended its evaluation, and gave its verdict; 0 before each. */
  asked: Uint32Array;
  answered: Uint32Array;
  started: Uint32Array;
  ended: Uint32Array;
  seq: Uint32Array;
  /** Wall seconds of its evaluation. */
  wall: Float32Array;
  generation: Uint16Array;
  fate: Uint8Array;
  arm: Uint8Array;
  gate: Uint8Array;
  /** How its evaluation ended, as an index into the model's outcomes. */
  outcome: Uint8Array;
  marks: Uint8Array;
  /** One column an objective, NaN where it was not measured. */
  scores: Float64Array[];

  constructor(objectives: number, capacity = 1024) {
    this.capacity = capacity;
    this.parent = new Int32Array(capacity);
    this.parent2 = new Int32Array(capacity);
    this.score = new Float32Array(capacity);
    this.time = new Float64Array(capacity);
    this.evaluation = new Uint32Array(capacity);
    this.spent = new Float32Array(capacity);
    this.asked = new Uint32Array(capacity);
    this.answered = new Uint32Array(capacity);
    this.started = new Uint32Array(capacity);
    this.ended = new Uint32Array(capacity);
    this.seq = new Uint32Array(capacity);
    this.wall = new Float32Array(capacity);
    this.generation = new Uint16Array(capacity);
    this.fate = new Uint8Array(capacity);
    this.arm = new Uint8Array(capacity);
    this.gate = new Uint8Array(capacity);
    this.outcome = new Uint8Array(capacity);
    this.marks = new Uint8Array(capacity);
    this.scores = Array.from({ length: objectives }, () => new Float64Array(capacity));
  }

  /** Makes sure that the row exists; false when the table is full. */
  ensure(number: number): boolean {
    if (number < 0 || number >= MAX_CANDIDATES) return false;
    if (number >= this.capacity) this.grow(number + 1);
    for (let row = this.count; row <= number; row++) {
      this.parent[row] = -1;
      this.parent2[row] = -1;
      this.score[row] = NaN;
      this.time[row] = NaN;
      this.fate[row] = Fate.absent;
      this.arm[row] = NONE;
      this.gate[row] = NONE;
      this.outcome[row] = NONE;
      for (const column of this.scores) column[row] = NaN;
    }
    if (number >= this.count) this.count = number + 1;
    return true;
  }

  /** Sets parents and generation together, so that the generation always follows from the parents. */
  setParents(number: number, first: number, second: number): void {
    this.parent[number] = first;
    this.parent2[number] = second;
    const a = first >= 0 && first < number ? this.generation[first] + 1 : 0;
    const b = second >= 0 && second < number ? this.generation[second] + 1 : 0;
    this.generation[number] = Math.max(a, b);
  }

  private grow(least: number): void {
    let capacity = this.capacity;
    while (capacity < least) capacity *= 2;
    capacity = Math.min(capacity, MAX_CANDIDATES);
    const widen = <T extends { set(from: T): void }>(make: new (n: number) => T, from: T): T => {
      const wider = new make(capacity);
      wider.set(from);
      return wider;
    };
    this.parent = widen(Int32Array, this.parent);
    this.parent2 = widen(Int32Array, this.parent2);
    this.score = widen(Float32Array, this.score);
    this.time = widen(Float64Array, this.time);
    this.evaluation = widen(Uint32Array, this.evaluation);
    this.spent = widen(Float32Array, this.spent);
    this.asked = widen(Uint32Array, this.asked);
    this.answered = widen(Uint32Array, this.answered);
    this.started = widen(Uint32Array, this.started);
    this.ended = widen(Uint32Array, this.ended);
    this.seq = widen(Uint32Array, this.seq);
    this.wall = widen(Float32Array, this.wall);
    this.generation = widen(Uint16Array, this.generation);
    this.fate = widen(Uint8Array, this.fate);
    this.arm = widen(Uint8Array, this.arm);
    this.gate = widen(Uint8Array, this.gate);
    this.outcome = widen(Uint8Array, this.outcome);
    this.marks = widen(Uint8Array, this.marks);
    this.scores = this.scores.map((column) => widen(Float64Array, column));
    this.capacity = capacity;
  }
}
