/**
 * What proves who we are to a registry. `identity` is a refresh token that is traded for access tokens, `bearer` an access
 * token that is sent as it is.
 */
export type Credential =
  | {
      readonly kind: 'basic';
      readonly username: string;
      readonly password: string;
      /** The base64 of both where they are not UTF-8. */
      readonly encoded?: string;
    }
  | { readonly kind: 'identity'; readonly token: string; readonly username?: string }
  | { readonly kind: 'bearer'; readonly token: string; readonly username?: string };

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `registry` and `repository` as in an ImageReference. Undefined if there is no login. `refused` is what was found before
 * and is not accepted any more: logins of helpers, and those that others keep in files, may live for minutes only.
 */
export interface FindCredential {
  (registry: string, repository: string, refused?: Credential): Promise<Credential | undefined>;
  /** Why a login for the registry may not have been found, as far as it has been looked for. */
  readonly trouble?: (registry: string) => string | undefined;
}
