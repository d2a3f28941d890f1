/** Where the slim image's bootstrap lives. */
export const BOOTSTRAP_FOLDER = 'opt/weighbridge';
/** The program that a slim image starts with: it fetches the model, then starts vLLM. */
export const BOOTSTRAP_PATH = `/${BOOTSTRAP_FOLDER}/bootstrap`;
/** The file that says what the bootstrap fetches. */
export const SLIM_LIST = `${BOOTSTRAP_FOLDER}/model.json`;
