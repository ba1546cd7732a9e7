import { defineConfig } from 'vitest/config';

// Workspace packages are tested from their sources, so that a test never runs yesterday's build. Not 'import': it would
// also be taken for a plain require, and give CommonJS packages the wrong half of others.
const conditions = ['source', 'node'];
const project = (name: string, include: string[], exclude: string[], more = {}) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { name, include, exclude: ['**/node_modules/**', '**/dist/**', ...exclude], ...more },
});

export default defineConfig({
  test: {
    projects: [
      project(
        'unit',
        ['{packages,services,bench,test}/**/src/**/*.test.ts', 'deploy/**/*.test.mjs'],
        ['**/*.system.test.ts'],
      ),
      project('system', ['{packages,services,test}/**/*.system.test.ts'], [], {
        fileParallelism: false,
        testTimeout: 120_000,
        hookTimeout: 180_000,
      }),
    ],
  },
});
