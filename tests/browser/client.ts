// A client as its users write it: types from openapi.yaml, every call checked by the compiler.
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

type Plan = components['schemas']['Plan'];

export async function planStem(baseUrl: string): Promise<Plan> {
  const client = createClient<paths>({ baseUrl });
  const { data, error } = await client.POST('/v1/shapes', {
    body: {
      input: [1, 3, 224, 224],
      layers: [
        { type: 'Conv2d', name: 'conv1', out_channels: 64, kernel_size: 7, stride: 2, padding: 3, bias: false },
        { type: 'BatchNorm2d' },
        { type: 'MaxPool2d', kernel_size: 3, stride: 2, padding: 1 },
      ],
    },
  });
  if (error) throw new Error(error.detail);
  return data;
}

/** The code of the first error of a request that is well typed and wrong all the same. */
export async function refusal(baseUrl: string): Promise<string | undefined> {
  const client = createClient<paths>({ baseUrl });
  const { error } = await client.GET('/v1/relationships/{number}', { params: { path: { number: 16 } } });
  return error?.errors[0]?.code;
}

export async function relationshipTitle(baseUrl: string, number: number): Promise<string> {
  const client = createClient<paths>({ baseUrl });
  const { data } = await client.GET('/v1/relationships/{number}', { params: { path: { number } } });
  return data?.title ?? '';
}

export async function decoderKernels(baseUrl: string): Promise<number> {
  const client = createClient<paths>({ baseUrl });
  const { data } = await client.POST('/v1/decoder', {
    body: {
      input: [1, 1, 28, 28],
      encoder: [{ type: 'Conv2d', out_channels: 8, kernel_size: 3, stride: 2, padding: 1 }],
      pool_inverse: 'conv_transpose',
    },
  });
  return data?.decoder?.length ?? 0;
}
