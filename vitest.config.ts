import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/integration/server.ts'],
    setupFiles: ['test/properties.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts', 'functions/**/*.ts', 'cli/**/*.ts', 'local/**/*.ts'],
      reporter: ['text-summary', 'html'],
      thresholds: { 'lib/**': { lines: 90, statements: 90, functions: 90, branches: 85 } },
    },
  },
});
