/** The forms of one phrase; `#` stands for the number. `other` is the form every language has. */
export type PluralForms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

/** Chooses the form for `value` by the language's rules (CLDR) and puts the number in, grouped as the language does. */
export function plural(rules: Intl.PluralRules, value: number, forms: PluralForms): string {
  const form = forms[rules.select(value)] ?? forms.other;
  return form.replaceAll('#', numbersOf(rules).format(value));
}

/** Made once for each language, since making one takes about a millisecond. */
const numberFormats = new WeakMap<Intl.PluralRules, Intl.NumberFormat>();

function numbersOf(rules: Intl.PluralRules): Intl.NumberFormat {
  const known = numberFormats.get(rules) ?? new Intl.NumberFormat(rules.resolvedOptions().locale);
  numberFormats.set(rules, known);
  return known;
}
