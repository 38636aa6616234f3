import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { routes } from '../../../../functions/routes.ts';
import { openApi } from '../../../../lib/http/openapi.ts';

interface Parameter {
  name: string;
  in: string;
  required: boolean;
  description?: string;
  schema: object;
}
interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  security?: object[];
  parameters: Parameter[];
  responses: Record<string, { content: Record<string, { schema: object }> }>;
}
interface Document {
  openapi: string;
  info: { version: string };
  security: object[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: object };
}

const text = JSON.stringify(openApi(routes, '1.2.3'));
const document = JSON.parse(text) as Document;
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

describe('the description of the API', () => {
  test('is OpenAPI 3.1 of this version, and plain data', () => {
    expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
    expect(openApi(routes, '1.2.3')).toEqual(document);
  });

  test('has every route, and no other', () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
  });

  test('names every operation once, in words that a generator can make a function of', () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(routes.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });

  test('refers only to schemas that it has, and has only schemas that it refers to', () => {
    const referred = new Set([...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, target]) => target));
    const written = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect([...referred].sort()).toEqual(written.sort());
  });

  test('has none of what belongs to JSON Schema documents alone', () => {
    expect(text).not.toMatch(/"\$(defs|schema|id)"|#\/\$defs/);
  });

  test('documents every parameter', () => {
    for (const { parameters } of operations) {
      for (const parameter of parameters) {
        expect(parameter).toMatchObject({
          in: 'query',
          required: false,
          schema: { type: ['limit', 'offset'].includes(parameter.name) ? 'integer' : 'string' },
        });
        expect(parameter.description).toMatch(/\.$/);
        expect(parameter.schema).not.toHaveProperty('description');
      }
    }
  });

  test.each(routes.map((route) => [route.path, route] as const))('lists the parameters of %s', (path, route) => {
    const { properties } = z.toJSONSchema(route.parameters, { io: 'input' }) as { properties: object };
    const described = document.paths[path]?.[route.method.toLowerCase()]?.parameters.map(({ name }) => name);
    expect(described).toEqual(Object.keys(properties));
  });

  test('says of each operation what it answers, also when it fails', () => {
    for (const { summary, responses } of operations) {
      expect(summary).toMatch(/^[A-Z].*\.$/);
      expect(responses['200']?.content['application/json']?.schema).toBeDefined();
      expect(responses.default?.content['application/problem+json']?.schema).toEqual({
        $ref: '#/components/schemas/Problem',
      });
    }
  });

  test('says which operations need a token', () => {
    expect(document.security).toEqual([{ token: [] }]);
    expect(document.components.securitySchemes).toHaveProperty('token');
    for (const { method, path, scope } of routes) {
      const operation = document.paths[path]?.[method.toLowerCase()];
      if (scope === null) expect(operation?.security).toEqual([]);
      else {
        expect(operation).not.toHaveProperty('security');
        expect(operation?.description).toContain(`\`${scope}\``);
      }
    }
  });

  test('keeps two methods of one path', () => {
    const [first] = routes;
    const second = first && { ...first, method: 'POST' as const, entry: 'some/other' };
    const both = openApi(routes.slice(0, 1).concat(second ?? []), '1') as Document;
    expect(Object.values(both.paths).map((methods) => Object.keys(methods))).toEqual([['get', 'post']]);
  });

  test('tells the default of every parameter that has one', () => {
    const limit = operations.flatMap(({ parameters }) => parameters).find(({ name }) => name === 'limit');
    expect(limit?.schema).toHaveProperty('default');
  });
});

test('a path says what its file is called, as the functions are found by it', () => {
  for (const { path, entry } of routes) expect(`/${entry}`).toBe(path.replace(/\.json$/, ''));
});
