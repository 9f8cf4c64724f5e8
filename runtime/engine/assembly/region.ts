/** Where the state of this engine stands in the linear memory, in which other engines have theirs. */

/** First byte; `layout.ts` gives distances from it. */
export declare const region: usize;
