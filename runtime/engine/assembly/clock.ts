/** What the host provides: the name of this file is that of the imported module. */

/** A clock in seconds. */
export declare function now(): f64;
