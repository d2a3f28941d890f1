import { shellQuote } from '../../core/text.ts';

/** A request to a running server, as a command to paste. */
export interface SampleRequest {
  readonly title: string;
  readonly text: string;
}

/** Returns the requests that fit what a model does; none for one that serves no requests of its own. */
export function sampleRequests(task: string | null, servedName: string, port: number): SampleRequest[] {
  const root = `http://localhost:${port}`;
  const post = (title: string, path: string, body: object): SampleRequest => ({
    title,
    text: `curl ${root}${path} -H 'content-type: application/json' \\\n  -d ${shellQuote([JSON.stringify({ model: servedName, ...body })])}`,
  });
  switch (task) {
    case 'embed':
      return [
        post('Ask for embeddings', '/v1/embeddings', {
          input: ['Paris is in France.', 'Berlin is in Germany.'],
        }),
      ];
    case 'classify':
      return [
        post('Classify', '/classify', { input: 'The service was quick and friendly.' }),
        post('Rerank', '/rerank', {
          query: 'Where is Paris?',
          documents: ['Paris is in France.', 'Berlin is in Germany.'],
        }),
      ];
    case 'reward':
      return [
        post('Ask for a reward', '/pooling', {
          messages: [
            { role: 'user', content: 'What is 2 + 2?' },
            { role: 'assistant', content: '4' },
          ],
        }),
      ];
    case 'transcribe':
      return [
        {
          title: 'Transcribe',
          text: `curl ${root}/v1/audio/transcriptions \\\n  -F file=@speech.mp3 -F ${shellQuote([`model=${servedName}`])}`,
        },
      ];
    case 'multimodal':
      return [
        post('Ask about a picture', '/v1/chat/completions', {
          messages: [
            {
              role: 'user',
              content: [
                { type: 'text', text: 'What is in this picture?' },
                { type: 'image_url', image_url: { url: 'https://example.com/picture.jpg' } },
              ],
            },
          ],
        }),
      ];
    case 'draft':
      return [];
    default:
      return [post('Ask it', '/v1/chat/completions', { messages: [{ role: 'user', content: 'Hello' }] })];
  }
}
