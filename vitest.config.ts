import { defineConfig } from 'vitest/config';

/** `--mode long`: see `test/support/effort.ts`. */
export default defineConfig(({ mode }) => {
  const long = mode === 'long';
  const timeout = long ? 3_600_000 : 120_000;
  return {
    test: {
      include: ['test/**/*.test.ts'],
      testTimeout: timeout,
      hookTimeout: timeout,
      pool: 'forks',
      // The default leaves one processor idle, of two.
      maxWorkers: '100%',
      // Modules are loaded once a process, not once a file: no test changes the state of one.
      isolate: false,
      env: long ? { PLUMBLINE_TESTS: 'long' } : {},
    },
  };
});
