import { HubError, NetworkError, WeighbridgeError } from '../core/errors.ts';
import { revisionRemedy } from '../core/hub-names.ts';
import { quoted } from '../core/safe-text.ts';
import { serverWaitMs } from '../http/retry.ts';
import type { HttpResponse } from '../http/types.ts';

/** What a question to the Hub was about, for its errors. */
export interface HubQuestion {
  readonly endpoint: string;
  readonly model: string;
  /** As the user wrote it, or the commit. */
  readonly revision: string;
  readonly hasToken: boolean;
  /** Where it was one file. */
  readonly path?: string;
}

/** Returns the error for an answer that is not what was asked for. The body is not read: it may be anything. */
export function hubFailure(response: HttpResponse, question: HubQuestion): HubError {
  response.discard();
  return (
    namedFailure(response, question) ??
    (isFromElsewhere(response, question)
      ? storageFailure(response, question)
      : statusFailure(response, question))
  );
}

/** Whether the answer came from a server that the Hub has sent us on to: its storage, behind links that expire. */
export function isFromElsewhere(response: HttpResponse, { endpoint }: HubQuestion): boolean {
  return new URL(response.url).origin !== new URL(endpoint).origin;
}

/** What the Hub gives a name; https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/utils/_http.py */
function namedFailure({ headers }: HttpResponse, question: HubQuestion): HubError | undefined {
  const { endpoint, model, revision, hasToken, path } = question;
  switch (headers['x-error-code']) {
    case 'GatedRepo':
      return hasToken
        ? hubError(
            model,
            'HUB_GATED',
            `${model} is gated, and the token that was given has no access to it`,
            {
              remedy: `Accept its terms at ${endpoint}/${model} with the account of the token; a fine-grained token also needs the right to read gated repositories.`,
            },
          )
        : hubError(model, 'HUB_GATED', `${model} is gated, and no token was given`, {
            remedy: `Accept its terms at ${endpoint}/${model} and set HF_TOKEN.`,
          });
    case 'RevisionNotFound':
      return hubError(model, 'HUB_REVISION_NOT_FOUND', `${model} has no revision ${quoted(revision)}`, {
        remedy: revisionRemedy(revision),
      });
    case 'EntryNotFound':
      return hubError(
        model,
        'HUB_NOT_FOUND',
        `${model} has no file ${quoted(path ?? '')} at ${quoted(revision)}, though it was listed`,
        { remedy: 'The commit may have been rewritten: plan again.' },
      );
  }
  // The only sign of it that the Hub gives.
  if (headers['x-error-message'] === 'Access to this resource is disabled.') return disabledFailure(model);
  return undefined;
}

/** Returns the error for a repository that the Hub has disabled. */
export function disabledFailure(model: string): HubError {
  return hubError(model, 'HUB_DISABLED', `${model} has been disabled on the Hub`, {
    remedy: 'Take it out of models.yaml; what was published of it stays until you delete it.',
  });
}

function storageFailure({ status, url }: HttpResponse, { model, path }: HubQuestion): HubError {
  const { host } = new URL(url);
  const what = path === undefined ? model : `${quoted(path)} of ${model}`;
  return hubError(
    model,
    status >= 500 || status === 429 ? 'HUB_UNREACHABLE' : 'HUB_BAD_ANSWER',
    `${host}, to which the Hub redirects requests for ${what}, answered ${status}`,
    {
      remedy: `Try again later; if it stays, something between here and ${host} may refuse it (HTTPS_PROXY).`,
    },
  );
}

function statusFailure(response: HttpResponse, question: HubQuestion): HubError {
  const { endpoint, model, hasToken } = question;
  const { status, headers } = response;
  // To somebody unknown the Hub says 401 for what is not there and for what is private alike; somebody known gets 404.
  if (status === 404 || (status === 401 && !hasToken)) {
    return hubError(model, 'HUB_NOT_FOUND', `${model} does not exist on ${endpoint}, or it is private`, {
      remedy: hasToken
        ? 'Check the id, and that the account of HF_TOKEN may read it.'
        : 'Check the id; for a private model set HF_TOKEN.',
    });
  }
  if (status === 401 || status === 403) {
    return hasToken
      ? hubError(model, 'HUB_UNAUTHORIZED', `${endpoint} refused the token for ${model} (status ${status})`, {
          remedy: `Check HF_TOKEN at ${endpoint}/settings/tokens: it may have expired or lack the right to read this model.`,
        })
      : hubError(model, 'HUB_UNAUTHORIZED', `${endpoint} refused to tell about ${model} (status ${status})`, {
          remedy: 'Set HF_TOKEN to a token that may read it.',
        });
  }
  if (status === 429) {
    const waitMs = serverWaitMs(headers);
    const wait = !waitMs ? 'a few minutes' : `${Math.ceil(waitMs / 1000)} seconds`;
    return hubError(model, 'HUB_RATE_LIMITED', `${endpoint} limits the rate of requests (status 429)`, {
      remedy: `Try again in ${wait}${hasToken ? '' : ', or set HF_TOKEN: known accounts may ask more often'}.`,
    });
  }
  if (status >= 500) {
    return hubError(model, 'HUB_UNREACHABLE', `${endpoint} answered ${status} for ${model}`, {
      remedy: 'The Hub has a problem of its own; try again later.',
    });
  }
  return badAnswer(model, `status ${status}`);
}

/** Returns `error` as the Hub's, if it is the network's; anything else as it is. */
export function explainHubError(error: unknown, { endpoint, model }: HubQuestion): unknown {
  if (error instanceof NetworkError) {
    return hubError(model, 'HUB_UNREACHABLE', error.message, {
      remedy:
        error.remedy ??
        `Check that ${endpoint} can be reached from here (the network, HF_ENDPOINT, HTTPS_PROXY).`,
      cause: error,
    });
  }
  if (error instanceof WeighbridgeError && error.code === 'HTTP_TOO_LARGE')
    return badAnswer(model, error.message, error);
  return error;
}

/** Returns the error for an answer that cannot be used; `what` is said of it. */
export function badAnswer(model: string, what: string, cause?: unknown): HubError {
  return hubError(model, 'HUB_BAD_ANSWER', `unexpected response from the Hub for ${model}: ${what}`, {
    remedy: 'Check HF_ENDPOINT: it must be the Hub or a server with its HTTP API, not a login or error page.',
    cause,
  });
}

function hubError(
  model: string,
  code: HubError['code'],
  message: string,
  details: { readonly remedy: string; readonly cause?: unknown },
): HubError {
  return new HubError(message, { ...details, code, subject: model });
}
