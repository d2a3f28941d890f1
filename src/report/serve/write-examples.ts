import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { kubernetesExamples } from './kubernetes-examples.ts';

// `npm run examples`

const FOLDER = path.join(import.meta.dirname, '..', '..', '..', 'docs', 'kubernetes');

for (const { file, text } of kubernetesExamples()) writeFileSync(path.join(FOLDER, file), text);
