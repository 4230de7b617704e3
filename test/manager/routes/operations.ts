import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { FORMATS } from '../../../manager/src/http/formats.ts';
import type { Schema } from './good-values.ts';

/** What a request to one route can have, and what its answer must be. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly body: Schema | undefined;
  readonly forOperators: boolean;
  readonly forRunners: boolean;
  readonly answer: ValidateFunction | undefined;
}

/** All operations of the OpenAPI document of a manager. */
export async function readOperations(url: string): Promise<Operation[]> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Record<string, unknown>>>;
  };
  const ajv = new Ajv2020({ strict: false, formats: FORMATS });
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => {
      const {
        parameters = [],
        requestBody,
        responses,
        security = [],
      } = described as {
        parameters?: Operation['parameters'];
        requestBody?: { content: Record<string, { schema: Schema }> };
        responses: Record<string, { content?: Record<string, { schema: object }> }>;
        security?: object[];
      };
      const answer = responses['200']?.content?.['application/json']?.schema;
      return {
        method: method.toUpperCase(),
        path,
        parameters,
        body: requestBody?.content['application/json']?.schema,
        forOperators: security.length === 0 || security.some((each) => 'operatorKey' in each),
        forRunners: security.some((each) => 'attemptToken' in each),
        answer: answer === undefined || path === '/openapi.json' ? undefined : ajv.compile(answer),
        [fc.toStringMethod]: () => `${method} ${path}`,
      };
    }),
  );
}
