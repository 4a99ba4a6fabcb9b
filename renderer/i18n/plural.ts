/** The forms of one phrase; `#` stands for the number. `other` is the form every language has. */
export type PluralForms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

/** Chooses the form for `value` by the language's rules (CLDR) and puts the number in, grouped as the language does. */
export function plural(rules: Intl.PluralRules, value: number, forms: PluralForms): string {
  const form = forms[rules.select(value)] ?? forms.other;
  const number = new Intl.NumberFormat(rules.resolvedOptions().locale).format(value);
  return form.replaceAll('#', number);
}
