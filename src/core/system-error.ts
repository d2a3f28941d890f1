/** What the operating system has refused, as Node tells it. */
export type SystemError = NodeJS.ErrnoException & { readonly code: string };

/** Returns whether an error is from the operating system, with a `code` such as ENOENT. */
export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && 'syscall' in error && typeof error.code === 'string';
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'a part of the path is a file'],
  ['EEXIST', 'a file is in the way'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EACCES', 'no permission'],
  ['EPERM', 'no permission'],
  ['EROFS', 'the disk is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EFBIG', 'the file system does not take a file that large'],
]);

/** Returns why work on a file failed, in words; as the error itself says it if it is none of the common ones. */
export function reasonOf(error: unknown): string {
  const reason = isSystemError(error) ? REASONS.get(error.code) : undefined;
  return reason ?? (error instanceof Error ? error.message : String(error));
}
