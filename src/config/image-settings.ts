import * as z from 'zod';
import { isRecord } from '../core/json-shape.ts';
import { table } from '../core/table.ts';
import { ONE_LINE } from './field-checks.ts';
import { ALWAYS } from './field-schema.ts';

/** What a person adds to the environment and the labels of images: a map from names to texts. */

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** What images set themselves; another value would take the model away from the server. */
const OWN_ENV = ['MODEL_ID', 'MODEL_DIR', 'SERVE_ARGS', 'HF_HOME', 'HF_HUB_CACHE', 'HF_HUB_OFFLINE'];
/** Images are read by everyone who may pull them. */
const SECRET_NAME =
  /(?:TOKEN|PASSWORD|PASSWD|SECRET|API_KEY|ACCESS_KEY|SECRET_KEY|PRIVATE_KEY|CREDENTIALS)$/i;
const SECRET_VALUE = /\bhf_[A-Za-z0-9]{20,}|\bgh[pousr]_[A-Za-z0-9]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY/;

const SECRET = 'looks like a secret, and everyone who can pull the image could read it';

const LABEL_NAME = /^[a-z0-9](?:[a-z0-9._/-]*[a-z0-9])?$/i;
/** Labels that state what Weighbridge knows: a later run, `verify` and the catalog read them. */
const OWN_LABELS =
  /^io\.weighbridge\.|^org\.opencontainers\.image\.(?:version|revision|licenses|created|base\..*)$/i;
const OCI_KEYS = table<string>({
  'org.opencontainers.image.title': 'title',
  'org.opencontainers.image.description': 'description',
  'org.opencontainers.image.url': 'url',
});

/** The schema of `env:`: values by names of variables. */
export const env = settings('must be text, a number, true or false', envFault);
/** The schema of `labels:`: values by names of labels. */
export const labels = settings('must be text, a number, true or false', labelFault);

interface SettingFault {
  readonly message: string;
  /** The name is wrong, whatever the value. */
  readonly isAboutKey?: boolean;
}

type FindFault = (name: string, value: string) => SettingFault | undefined;

function settings(error: string, faultOf: FindFault) {
  const value = z.union([z.string(), z.number(), z.boolean()], { error });
  return z
    .object({})
    .catchall(value)
    .superRefine((map, { addIssue }) => {
      if (!isRecord(map)) return;
      for (const [name, written] of Object.entries(map)) {
        const fault = faultOf(name, String(written));
        if (fault === undefined) continue;
        const { message, isAboutKey = false } = fault;
        const params = { isSecret: message.startsWith(SECRET), isAboutKey };
        addIssue({ code: 'custom', message, path: [name], input: written, params });
      }
    }, ALWAYS);
}

function envFault(name: string, value: string): SettingFault | undefined {
  if (!ENV_NAME.test(name)) return ofKey('must be the name of a variable: letters, digits and "_"');
  if (OWN_ENV.includes(name))
    return ofKey('is set by the image itself; "docker run -e" can change it when it starts');
  if (SECRET_NAME.test(name)) return ofKey(`${SECRET}: set it when the image starts`);
  if (SECRET_VALUE.test(value)) return { message: `${SECRET}: set it when the image starts` };
  return value.includes('\0') ? { message: 'must not contain a NUL character' } : undefined;
}

function labelFault(name: string, value: string): SettingFault | undefined {
  if (!LABEL_NAME.test(name))
    return ofKey('must be the name of a label: letters, digits, ".", "_", "-" and "/"');
  if (OWN_LABELS.test(name)) return ofKey('states a fact that Weighbridge looks up; it cannot be set');
  const key = OCI_KEYS[name.toLowerCase()];
  if (key !== undefined) return ofKey(`is set by "oci: {${key}: …}"`);
  if (SECRET_VALUE.test(value)) return { message: SECRET };
  return ONE_LINE.test(value) ? undefined : { message: 'must be one line of text that is not blank' };
}

function ofKey(message: string): SettingFault {
  return { message, isAboutKey: true };
}
