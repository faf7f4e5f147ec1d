import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // For what hangs: on a machine that does other things too a test may take ten times as long as it does alone.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Real sockets and child processes on two shared cores: more files at a time only makes them wait for each other.
    maxWorkers: 2,
    // Of what a command took half was compiling the same sources anew: a second of CPU each time. Node knows them by their content.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'banyan-tests-compiled') },
    projects: [
      { extends: true, test: { name: 'all', include: ['test/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          // What a client can notice, once more without the fast door.
          name: 'general door',
          env: { BANYAN_DOOR: 'general' },
          include: ['test/{journey,transparency,door}/**/*.test.ts'],
          // A process starts the same behind either door.
          exclude: ['test/journey/start.test.ts'],
        },
      },
    ],
  },
})
