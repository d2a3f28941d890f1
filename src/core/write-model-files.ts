import { writeFileSync } from 'node:fs';
import { MODEL_FILES } from './model-files.ts';

// `npm run bootstrap-data`: what the slim image's bootstrap knows of model files. A test holds that it is current.
const target = new URL('../runtime/bootstrap/weighbridge_bootstrap/model_files.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(MODEL_FILES, null, 1)}\n`);
