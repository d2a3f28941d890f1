import { isDeepStrictEqual } from 'node:util';
import { RegistryError } from '../../core/errors.ts';
import { askCredentialHelper, type HelperQuestion } from './credential-helper.ts';
import type { Credential, Environment } from './types.ts';

/** What credential helpers have answered: each is asked once for a registry, and again for a login that was refused. */
export class HelperAnswers {
  readonly #env: Environment;
  readonly #onTrouble: (registry: string, trouble: string) => void;
  readonly #answers = new Map<string, Promise<Credential | undefined>>();

  constructor(env: Environment, onTrouble: (registry: string, trouble: string) => void) {
    this.#env = env;
    this.#onTrouble = onTrouble;
  }

  /** Returns a helper's login; undefined if it has none, or does not work. */
  async ask(
    question: Omit<HelperQuestion, 'env'>,
    refused: Credential | undefined,
  ): Promise<Credential | undefined> {
    const key = JSON.stringify(question);
    const known = this.#answers.get(key);
    if (known !== undefined) {
      const isRefused = refused !== undefined && isDeepStrictEqual(await known, refused);
      const latest = this.#answers.get(key);
      // Those whose login was refused together share the answer to the first of them.
      if (latest !== undefined && (!isRefused || latest !== known)) return await latest;
    }
    const answer = this.#run(question);
    this.#answers.set(key, answer);
    answer.catch(() => this.#answers.delete(key));
    return await answer;
  }

  async #run(question: Omit<HelperQuestion, 'env'>): Promise<Credential | undefined> {
    try {
      return await askCredentialHelper({ ...question, env: this.#env });
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.#onTrouble(question.registry, error.message);
      return undefined;
    }
  }
}
