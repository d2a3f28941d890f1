import type { VexEntry } from '../config/types.ts';
import type { Statement } from './statement.ts';
import { imageSignature } from './statements/image-signature.ts';
import { licenseStatement } from './statements/license-decision.ts';
import { bomStatement } from './statements/ml-bom.ts';
import { modelSignature } from './statements/model-signature.ts';
import { vexStatement } from './statements/openvex.ts';
import { provenance } from './statements/provenance.ts';
import type { ImageSubject } from './types.ts';

/** What is stated of an image, and from what. */
export interface StatementOptions {
  readonly vex: readonly VexEntry[];
}

/**
 * Returns what is stated of an image, but for its scan, which `scan` states itself: what is attached to the image may be a
 * stranger's. Pure: the same image, plan and file state the same.
 */
export function makeStatements(subject: ImageSubject, { vex }: StatementOptions): Statement[] {
  const { model, planned, files } = subject;
  const short = model.dir.slice(model.dir.lastIndexOf('/') + 1);
  const mine = vexOf(vex, { id: model.id, short: planned?.model.short ?? short });
  const isHashed = files.length > 0 && files.every(file => file.sha256 !== undefined);
  const statements = [
    imageSignature(subject),
    provenance(subject),
    bomStatement(subject),
    licenseStatement(subject),
    isHashed ? modelSignature(planned?.model.short ?? short, files) : undefined,
    vexStatement(subject, mine),
  ];
  return statements.filter(statement => statement !== undefined);
}

/** Returns the entries that are about a model. */
export function vexOf(
  vex: readonly VexEntry[],
  { id, short }: { readonly id: string; readonly short: string },
): readonly VexEntry[] {
  const isNamed = (name: string): boolean => name === short || name.toLowerCase() === id.toLowerCase();
  return vex.filter(({ models }) => models?.some(isNamed) ?? true);
}
