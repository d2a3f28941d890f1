import { type Headers, Refusal } from '../server/exchange.ts';

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
export type ProblemCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'PAGINATION_NUMBER_INVALID'
  | 'RANGE_INVALID'
  | 'SIZE_INVALID'
  | 'TAG_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'TOO_MANY_TAGS_REQUESTED'
  | 'UNKNOWN';

/** Returns an answer of the registry that refuses, in the words of the specification. */
export function problem(
  status: number,
  code: ProblemCode,
  message: string,
  more: { readonly detail?: unknown; readonly headers?: Headers } = {},
): Refusal {
  const headers = { 'content-type': 'application/json; charset=utf-8', ...more.headers };
  return new Refusal(
    status,
    headers,
    JSON.stringify({ errors: [{ code, message, detail: more.detail ?? null }] }),
  );
}
