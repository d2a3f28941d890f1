/** What to do if a registry answers with a status of 500 or above, which is retried before it is an error. */
export const SERVER_FAULT_REMEDY =
  'The registry, or a proxy in front of it, has a problem of its own: run the command again later.';
