/**
 * Returns the address at which people find a model. Always on the public Hub, whichever mirror the bytes were read
 * from: an image must not differ by the machine it was made on.
 */
export function hubPage(id: string): string {
  return `https://huggingface.co/${id}`;
}
