import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Real sockets and child processes on two shared cores: more files at a time only makes them wait for each other.
    maxWorkers: 2,
  },
})
