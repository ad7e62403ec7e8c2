// What the compiler has to refuse: a misspelt member.
import createClient from 'openapi-fetch';
import type { paths } from './schema.js';

const client = createClient<paths>({ baseUrl: '' });
export const plan = client.POST('/v1/shapes', {
  body: { input: [1, 3, 8, 8], layers: [{ type: 'Conv2d', out_channels: 8, kernel_sise: 3 }] },
});
