import * as z from 'zod';
import type { Route } from './endpoint.ts';
import { Problem } from './problem.ts';

/** Describes routes as OpenAPI 3.1, whose schemas are JSON Schema 2020-12: what zod writes. */
export function openApi(routes: readonly Route[], version: string): object {
  const components: Record<string, unknown> = {};
  /** Named schemas are written once, under components, and referred to. */
  const schema = (type: z.ZodType, io: 'input' | 'output') => {
    const {
      $schema: _,
      $defs,
      ...rest
    } = z.toJSONSchema(type, { io, override: keepDefault }) as Record<string, unknown>;
    for (const [name, definition] of Object.entries(($defs as object | undefined) ?? {}))
      components[name] = relocate(definition);
    return relocate(rest);
  };
  const problem = schema(z.strictObject({ problem: Problem }), 'output');
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const { properties = {}, required = [] } = schema(route.parameters, 'input') as {
      properties?: Record<string, { description?: string }>;
      required?: string[];
    };
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: {
        operationId: route.entry.split('/').slice(-2).join('-'),
        summary: route.summary,
        ...(route.scope === null ? { security: [] } : { description: `Needs the scope \`${route.scope}\`.` }),
        parameters: Object.entries(properties).map(([name, { description, ...rest }]) => ({
          name,
          in: 'query',
          required: required.includes(name),
          ...(description === undefined ? {} : { description }),
          schema: rest,
        })),
        responses: {
          ...Object.fromEntries(
            [200, ...(route.otherStatuses ?? [])].map((status) => [
              status,
              {
                description: status === 200 ? 'OK' : 'The same, when it is not well.',
                content: { 'application/json': { schema: schema(route.response, 'output') } },
              },
            ]),
          ),
          default: {
            description: 'A problem, with a stable code.',
            content: {
              'application/problem+json': {
                schema: (problem as { properties: { problem: object } }).properties.problem,
              },
            },
          },
        },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'StreamGate',
      version,
      description: 'What a PostgreSQL database behind an API on AWS Lambda spends its time on, and what to change.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: components,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

/** zod forgets the default of what is read out of text; the schema's own description has it. */
function keepDefault({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodTypes;
  jsonSchema: { default?: unknown };
}): void {
  const described = z.globalRegistry.get(zodSchema)?.default;
  if (described !== undefined) jsonSchema.default = described;
}

/** zod points to `#/$defs/Name`; in OpenAPI the schemas stand under `#/components/schemas/Name`. */
function relocate(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'));
}
