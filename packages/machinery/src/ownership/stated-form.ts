import type { Json, JsonObject } from '../encode.ts';
import { isJsonObject } from '../patch/merge-patch.ts';

/**
 * A manifest in its normal form, and with what that leaves out because it is what an unset field is: `hostNetwork: false`,
 * `labels: {}`. Who applies a manifest means these too. `raw` is the manifest as it was written.
 */
export function statedForm(raw: Json, normal: Json): Json {
  if (isJsonObject(raw) && isJsonObject(normal)) {
    const stated: JsonObject = { ...normal };
    for (const [name, value] of Object.entries(raw)) {
      const usual = normal[name];
      if (usual !== undefined) stated[name] = statedForm(value, usual);
      else if (isNothing(value)) stated[name] = value;
    }
    return stated;
  }
  if (Array.isArray(raw) && Array.isArray(normal) && raw.length === normal.length) {
    return normal.map((item, index) => statedForm(raw[index] ?? item, item));
  }
  return normal;
}

function isNothing(value: Json): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === '' || value === 0 || value === false;
}
