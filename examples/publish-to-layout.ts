// Plans the models of models.yaml and writes their images into a folder: `node publish-to-layout.ts`.
import { createWeighbridge, loadConfig } from 'weighbridge';

await using weighbridge = createWeighbridge({ env: process.env });
const plan = await weighbridge.plan(await loadConfig('models.yaml'));
for (const { planned, images } of await weighbridge.publish(plan, { to: 'oci:images' }))
  for (const image of images)
    console.log(planned.model.short, image.variant, image.status, 'digest' in image ? image.digest : '');
