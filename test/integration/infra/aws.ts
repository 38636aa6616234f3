import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a function in Lambda finds around it: the secrets extension, and the place where CloudFormation waits for an answer. */
export interface AroundLambda {
  port: number;
  /** By ARN; null for a secret without a value. */
  secrets: Record<string, object | null>;
  /** What was answered to CloudFormation. */
  answers: { Status: string; Reason?: string; PhysicalResourceId: string; Data?: { outcome: string } }[];
  /** Where CloudFormation waits. */
  responseUrl: string;
  close(): Promise<void>;
}

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html, and a presigned PUT of S3 */
export async function aroundLambda(): Promise<AroundLambda> {
  const around = { secrets: {}, answers: [] } as unknown as AroundLambda;
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    if (request.method === 'PUT') {
      // S3 compares the content type with the one that was signed: none.
      const isSigned = (request.headers['content-type'] ?? '') === '';
      if (isSigned) around.answers.push(JSON.parse(await text(request)));
      response.writeHead(isSigned ? 200 : 403).end();
      return;
    }
    const secret = around.secrets[searchParams.get('secretId') ?? ''];
    const isAllowed = request.headers['x-aws-parameters-secrets-token'] === 'session';
    if (pathname !== '/secretsmanager/get' || !isAllowed || !secret) response.writeHead(400).end('refused');
    else response.end(JSON.stringify({ SecretString: JSON.stringify(secret) }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  around.port = (server.address() as AddressInfo).port;
  around.responseUrl = `http://127.0.0.1:${around.port}/cloudformation-custom-resource-response?X-Amz-Signature=0`;
  around.close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(() => done()));
  };
  return around;
}
