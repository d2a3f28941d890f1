/** Ways in which real registries differ. All off unless set; may be changed while the registry runs. */
export interface RegistryQuirks {
  /** GHCR: a PATCH with a larger `Content-Length` gets 416; chunked transfer encoding goes through. */
  patchMaxContentLengthBytes?: number;
  /** Nexus and others: a mount is answered with an upload session; 'forbid' is 403. */
  mount?: 'ok' | 'refuse' | 'forbid';
  /** A manifest is stored whatever blobs it names, as OCI lets registries do. */
  takesAnyManifest?: boolean;
  /** GHCR: false is 404 on the referrers API, and no `OCI-Subject`. */
  referrers?: boolean;
  /** ECR: advertised as `OCI-Chunk-Min-Length`; a smaller ranged chunk that was not the last is refused. */
  minChunkBytes?: number;
  /**
   * Docker's registry (and those made of it): only the newest `Location` of a session is known. Who lost the answer to
   * a PATCH, or broke one off, cannot even ask how far it got: 404.
   */
  newestLocationOnly?: boolean;
  /** ECR: of a second or later ranged chunk only half is kept, although all of it is confirmed. */
  losesRangedBytes?: boolean;
  /** 405 on every PATCH: a blob has to come whole. */
  refusesPatch?: boolean;
  /** 411 on a PATCH of chunked transfer encoding. */
  needsLength?: boolean;
  /** A proxy in front (nginx, Cloudflare): a body above this gets 413, whatever the registry would say. */
  maxBodyBytes?: number;
  /** GHCR, at 10 GB: a blob of more bytes is not taken, however it comes. */
  maxBlobBytes?: number;
  /** Uploads are at another origin, which takes no login and whose addresses are good by themselves. */
  uploadsElsewhere?: boolean;
  /** GHCR: `Location` without a host. */
  relativeLocations?: boolean;
  /** Google: a second PATCH of a session gets 405. */
  singlePatch?: boolean;
  /** zot: a PATCH keeps at most so many of its bytes, and says so in `Range`. */
  shortPatchBytes?: number;
  /** So many sessions are forgotten once their first PATCH has been answered. */
  loseUploads?: number;
  /** The registry's disk holds so many bytes of blobs. */
  fullAfterBytes?: number;
  /** What a full disk is answered with. Default 500, as Docker's registry does. */
  fullStatus?: 500 | 507;
  /** GHCR: false is 405 on DELETE of an upload session. */
  deleteUploads?: boolean;
  /** distribution as it is set up at first, GHCR: false is 405 on DELETE of a manifest. */
  deleteManifests?: boolean;
  /** GHCR: HEAD of the empty blob says 200 though no one has put it. */
  claimsEmptyBlob?: boolean;
  /** Nexus: a blob is stored under the digest that was asked for, whatever its bytes are. */
  trustsDigests?: boolean;
  /** Quay: a blob of no bytes is acknowledged and not kept. */
  dropsEmptyBlobs?: boolean;
  /** Docker's registry and Docker Hub: `POST ?digest=` opens a session in place of taking the body. */
  ignoresPostDigest?: boolean;
  /** GHCR and Docker Hub: a blob's bytes are at a signed link of another origin. */
  redirectBlobs?: boolean;
  /** Tags of a page, whatever was asked for. */
  maxTagsPage?: number;
  /** More requests than this in a window get 429 with `Retry-After`. */
  rateLimit?: { readonly requests: number; readonly windowMs: number };
  /** Some answer the PUT of a manifest with 202, as for work that is still to be done. */
  manifestStatus?: 201 | 202;
  /** 201 for a manifest, and nothing of it is kept. */
  forgetsManifests?: boolean;
  /** `Docker-Content-Digest` is in no answer about manifests, as the specification allows. */
  hidesDigests?: boolean;
  /**
   * Artifactory and others whose repositories are partly public: who may not read one, and sent no login, gets this
   * status and no challenge. `/v2/` still asks for a login.
   */
  hidesFromAnonymous?: 403 | 404;
  /** A cache of other registries: tokens have to be for this and the repository's name, as the challenge says. */
  scopePrefix?: string;
  /** Token services without OAuth: false is 405 on the POST of an identity token. */
  refreshTokens?: boolean;
  /** quay.io: a page of more tags than this is refused with 413, as `TOO_MANY_TAGS_REQUESTED`. */
  maxTagsAsked?: number;
  /** `Docker-Content-Digest` of a tag's manifest, and of one that was put, is of something else (Huawei, Docker Hub once). */
  wrongDigests?: boolean;
  /** Manifests, tags and tokens come as gzip, whatever was asked for. */
  gzipDocuments?: boolean;
  /** GitLab's virtual registry and others on S3: links are signed for GET, and a HEAD of one is refused. */
  noHeadAtLinks?: boolean;
  /** What opens an upload, and what ends one, is answered with. Default 202 and 201. */
  uploadStatus?: { readonly opened?: 200 | 202 | 204; readonly closed?: 200 | 201 | 202 | 204 };
  /** Counts the bytes of an upload in `Range` in place of naming the last. */
  countsRange?: boolean;
  /** ECR, Harbor and others, if set so: a tag that names a manifest takes no other. */
  immutableTags?: boolean;
  /** Token services that fill one of `token` and `access_token`, and leave the other empty. */
  emptyToken?: boolean;
}
