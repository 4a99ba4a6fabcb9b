import type { z } from 'zod';

type Schema = z.core.JSONSchema.BaseSchema;

/** A JSON Schema as TypeScript-like text for people. Limits stand behind a type as a comment. */
export function typeText(schema: Schema, indent = ''): string {
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map((option) => typeText(plain(option), indent)).join(' | ');
  switch (schema.type) {
    case 'object':
      return objectText(schema, indent);
    case 'array': {
      const item = schema.items && !Array.isArray(schema.items) ? typeText(plain(schema.items), indent) : 'unknown';
      return `${item.includes('|') ? `(${item})` : item}[]${limits(schema.minItems, schema.maxItems, 'items')}`;
    }
    case 'integer':
    case 'number':
      return `number${limits(schema.minimum, schema.maximum, '')}`;
    case 'string':
      return schema.format === 'uuid' ? 'UUID' : `string${limits(schema.minLength, schema.maxLength, 'characters')}`;
    case 'boolean':
    case 'null':
      return schema.type;
    default:
      return 'JSON';
  }
}

function plain(schema: Schema | boolean): Schema {
  return typeof schema === 'boolean' ? {} : schema;
}

function objectText(schema: Schema, indent: string): string {
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) return schema.additionalProperties ? '{ [name: string]: JSON }' : '{}';
  const inner = `${indent}  `;
  const lines = properties.map(([name, value]) => {
    const mark = schema.required?.includes(name) ? '' : '?';
    return `${inner}${name}${mark}: ${typeText(plain(value), inner)};`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function limits(low: number | undefined, high: number | undefined, unit: string): string {
  const safe = (value: number | undefined) =>
    value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? undefined : value;
  const [from, to] = [safe(low), safe(high)];
  if (from === undefined && to === undefined) return '';
  const range =
    from === to ? `${from}` : from === undefined ? `≤ ${to}` : to === undefined ? `≥ ${from}` : `${from}–${to}`;
  return ` /* ${range}${unit ? ` ${unit}` : ''} */`;
}
