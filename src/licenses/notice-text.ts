import { holdsWeights } from '../config/variants.ts';
import { plainLine } from '../core/safe-text.ts';
import { hubPage } from './hub-page.ts';
import { knownParts, partLines } from './known-bases.ts';
import type { LicensedBaseImage, LicensedRepository, LicenseTextSource, LicenseTree } from './types.ts';

/** Returns the text of `/licenses/NOTICE`: what is in the image under which terms, for people. */
export function noticeText(tree: LicenseTree, base: LicensedBaseImage | undefined): string {
  const sections = [
    ownFiles(),
    holdsWeights(tree.variant) ? fatModel(tree) : slimModel(tree),
    ...(tree.adapters ?? []).map(adapter =>
      holdsWeights(tree.variant) ? fatAdapter(adapter) : slimAdapter(adapter),
    ),
    ...tree.ancestors.map(baseModel),
    ...(base === undefined ? [] : [baseImage(base)]),
  ].map(([title = '', ...lines], index) => [`${index + 1}. ${title}`, ...lines].join('\n'));
  return `${['What is in this image, and under which terms', ...sections].join('\n\n')}\n`;
}

function ownFiles(): string[] {
  return [
    "The files that Weighbridge added: the start of the model server, the image's labels",
    '   and settings, and this notice',
    '   Terms:     CC0-1.0; full text: /licenses/CC0',
  ];
}

function fatModel({ model, modelDir, sharded }: LicenseTree): string[] {
  return [
    `The model ${plainLine(model.snapshot.id)}, in ${plainLine(modelDir, 500)}`,
    ...facts(model),
    ...textSource(model.textSource, '/licenses/model'),
    ...fileList(model.files, '/licenses/model'),
    ...changes(sharded),
  ];
}

/** Licenses such as Apache-2.0 want it said of a file that it was changed. */
function changes(sharded: LicenseTree['sharded']): string[] {
  return sharded.flatMap(({ path, parts }, index) => [
    `${index === 0 ? '   Changes:   ' : '              '}${plainLine(path)} is divided into ${parts.length} files, from`,
    `              ${plainLine(parts[0] ?? '')} on, between its tensors;`,
    '              no value in them is changed',
  ]);
}

function slimModel({ model, modelDir, isGated }: LicenseTree): string[] {
  return [
    `The model ${plainLine(model.snapshot.id)}: its weights are NOT in this image`,
    `   They are downloaded to ${plainLine(modelDir, 500)} when it starts, by and for whoever`,
    '   runs it, who then holds them under the terms below.',
    ...facts(model),
    ...(isGated ? ['   Access:    the model is gated; its terms have to be accepted on the Hub first'] : []),
  ];
}

type Adapter = NonNullable<LicenseTree['adapters']>[number];

function fatAdapter({ name, dir, ...adapter }: Adapter): string[] {
  return [
    `The adapter ${plainLine(adapter.snapshot.id)}, served as ${plainLine(name)}, in ${plainLine(dir, 500)}`,
    ...facts(adapter),
    ...textSource(adapter.textSource, `/licenses/adapters/${name}`),
    ...fileList(adapter.files, `/licenses/adapters/${name}`),
  ];
}

function slimAdapter({ name, dir, isGated, ...adapter }: Adapter): string[] {
  return [
    `The adapter ${plainLine(adapter.snapshot.id)}, served as ${plainLine(name)}: it is NOT in this image`,
    `   It is downloaded to ${plainLine(dir, 500)} when it starts`,
    ...facts(adapter),
    ...(isGated ? ['   Access:    it is gated; its terms have to be accepted on the Hub first'] : []),
  ];
}

function baseModel(ancestor: LicenseTree['ancestors'][number]): string[] {
  const id = plainLine(ancestor.snapshot.id);
  return [
    `The model ${id}, which the model above was made from`,
    ...facts(ancestor),
    ...textSource(ancestor.textSource, `/licenses/base-models/${id}`),
    ...fileList(ancestor.files, `/licenses/base-models/${id}`),
  ];
}

function facts({ snapshot, license }: Omit<LicensedRepository, 'read'>): string[] {
  const { spdx, declared } = license;
  const lines = [
    `   Source:    ${hubPage(plainLine(snapshot.id))}`,
    `   Revision:  ${snapshot.revision}`,
    `   Terms:     ${spdx ?? 'not known'}`,
    `   Declared:  ${declared === null ? 'nothing' : plainLine(declared, 500)}`,
  ];
  const link = snapshot.license.licenseLink;
  if (link !== null) lines.push(`   Link:      ${plainLine(link, 500)}`);
  return lines;
}

function textSource(source: LicenseTextSource, folder: string): string[] {
  switch (source.kind) {
    case 'upstream':
      return [`   Text:      ${folder}/LICENSE, which is ${plainLine(source.file)} of the repository`];
    case 'spdx':
      return [
        `   Text:      ${folder}/LICENSE, the SPDX text of ${source.ids.join(', ')}: the repository has`,
        '              no license file that can be read, so it names no year, and no holder but the authors',
      ];
    case 'none':
      return [`   Text:      none is known; ${folder}/LICENSE says what the repository declares`];
  }
}

function fileList(files: readonly string[], folder: string): string[] {
  return files.map(
    (name, index) => `${index === 0 ? '   Files:     ' : '              '}${folder}/${plainLine(name)}`,
  );
}

function baseImage({ reference, digest, license }: LicensedBaseImage): string[] {
  const parts = knownParts(reference);
  return [
    `The base image ${plainLine(reference, 500)}`,
    ...(digest === undefined ? [] : [`   Digest:    ${digest}`]),
    ...(license === undefined
      ? []
      : [`   Declared:  ${plainLine(license.spdx, 500)}, in its ${license.source}`]),
    ...partLines(parts),
    `   Terms:     those of the ${parts.length === 0 ? '' : 'other '}software in it, which are its own and are not changed here;`,
    '              see the publisher of the base image, and the packages inside',
  ];
}
