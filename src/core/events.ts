/** Everything that happens while a plan is made or published, as it happens. Who shows it is another matter. */
export type ProgressEvent =
  /** A run begins, of so many models. */
  | { readonly type: 'run'; readonly models: number }
  | { readonly type: 'model-start'; readonly model: string; readonly phase: WorkPhase }
  | {
      readonly type: 'model-end';
      readonly model: string;
      readonly status: 'done' | 'failed';
      readonly detail?: string;
    }
  | { readonly type: 'phase'; readonly model: string; readonly text: string }
  /** What a model has to bring to its targets, each blob counted once for each of them; again if more has to. */
  | { readonly type: 'work'; readonly model: string; readonly sizeBytes: number }
  /** A blob begins to move: to `targets`, `sizeBytes` to go. `blob` is its name for people. */
  | {
      readonly type: 'blob-start';
      readonly model: string;
      readonly blob: string;
      readonly sizeBytes: number;
      readonly targets: readonly string[];
    }
  /** `doneBytes` counts from the blob's first byte, so a resumed blob does not start at zero. */
  | {
      readonly type: 'blob-progress';
      readonly model: string;
      readonly blob: string;
      readonly doneBytes: number;
    }
  | {
      readonly type: 'blob-end';
      readonly model: string;
      readonly blob: string;
      readonly how: 'uploaded' | 'mounted' | 'reused' | 'read' | 'failed';
      /** Of the blob; those that did not have to move had no beginning to tell it. */
      readonly sizeBytes?: number;
    }
  | {
      readonly type: 'image';
      readonly model: string;
      readonly reference: string;
      readonly status: string;
      readonly digest?: string;
    }
  | {
      readonly type: 'retry';
      readonly what: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly reason: string;
      /** What the server answered, where it did. */
      readonly status?: number;
    }
  /** An HTTP request has its answer's head, or none; with `WEIGHBRIDGE_LOG_REQUESTS=1` in the environment. */
  | {
      readonly type: 'request';
      readonly method: string;
      /** Without user info, fragment and the values of query parameters that may be secret. */
      readonly url: string;
      readonly durationMs: number;
      /** Absent if there was no answer. */
      readonly status?: number;
      /** Why there was no answer. */
      readonly reason?: string;
    }
  | { readonly type: 'warning'; readonly model?: string; readonly text: string };

/** What is being done with a model (or, for `verify` and `scan`, with one image of it). */
export type WorkPhase = 'resolve' | 'publish' | 'build' | 'verify' | 'scan' | 'sign';

/** Receives events as they happen, in order. It must not throw. */
export type OnEvent = (event: ProgressEvent) => void;
