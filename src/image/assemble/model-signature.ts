import { createHash } from 'node:crypto';
import { contentIdOf, type LayerRecipe } from '../../layer/recipe.ts';
import { modelDirOf } from '../../plan/model-dir.ts';
import type { PlannedModel } from '../../plan/types.ts';
import { MODEL_SIGNATURE, SLIM_SIGNATURE, signaturePath } from '../format/model-signature.ts';
import { BOOTSTRAP_FOLDER } from '../format/slim-list.ts';
import type { ModelSigner, SignatureSpec } from '../types.ts';

/** Returns the model signature of an image that has the model's files; undefined if it is not to have one as a file. */
export function signatureOfLayers(
  planned: PlannedModel,
  recipes: readonly LayerRecipe[],
  signer: ModelSigner | undefined,
): SignatureSpec | undefined {
  if (!hasSignatureFile(planned)) return undefined;
  const prefix = `${modelDirOf(planned).slice(1)}/`;
  const own = recipes
    .flatMap(({ entries }) => entries)
    .filter(entry => entry.path.startsWith(prefix))
    .map(entry => [entry.path.slice(prefix.length), entry.contentId] as const);
  return specOf(planned, {
    place: signaturePath(modelDirOf(planned)),
    root: planned.model.downloadRoot.slice(1),
    contents: own,
    sign:
      signer &&
      (sealed => {
        const files = sealed.flatMap(({ layer }) => layer.files).filter(file => file.path.startsWith(prefix));
        const named = files.map(file => ({ ...file, path: file.path.slice(prefix.length) }));
        return signer.sign(planned.model.short, named);
      }),
  });
}

/** Returns the model signature of a slim image, whose list leaves out some files' sha256: `hashes` has those. */
export function signatureOfList(
  planned: PlannedModel,
  signer: ModelSigner | undefined,
  hashes: ReadonlyMap<string, string>,
): SignatureSpec | undefined {
  if (!hasSignatureFile(planned)) return undefined;
  const { files, model } = planned;
  return specOf(planned, {
    place: SLIM_SIGNATURE,
    root: BOOTSTRAP_FOLDER,
    contents: files.map(file => [file.path, contentIdOf(file)] as const),
    sign:
      signer &&
      (() => {
        const named = files.map(file => ({ ...file, sha256: file.sha256 ?? hashes.get(file.path) }));
        return signer.sign(model.short, named);
      }),
  });
}

/** Returns whether images of a model have its signature as a file. One that its makers have signed has theirs under that name. */
export function hasSignatureFile({ model, files }: Pick<PlannedModel, 'model' | 'files'>): boolean {
  return model.signatureFile === true && files.every(file => file.path !== MODEL_SIGNATURE);
}

interface SignedContent {
  /** Path in the image without leading slash. */
  readonly place: string;
  readonly root: string;
  /** What the signature is about: path below the model's folder and content id. */
  readonly contents: readonly (readonly [string, string])[];
  readonly sign: SignatureSpec['sign'];
}

function specOf({ model }: PlannedModel, { place, root, contents, sign }: SignedContent): SignatureSpec {
  const identity = ['model-signature-1', place, model.short, contents];
  const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  return { key, path: place, root, ...(sign && { sign }) };
}
