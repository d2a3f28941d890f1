/** What proves who we are to a registry. `identity` is a refresh token that is traded for access tokens. */
export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity'; readonly token: string; readonly username?: string };

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `registry` and `repository` as in an ImageReference. Undefined if there is no login. */
export interface FindCredential {
  (registry: string, repository: string): Promise<Credential | undefined>;
  /** Why a login for the registry may not have been found, as far as it has been looked for. */
  readonly trouble?: (registry: string) => string | undefined;
}
