export type Strength = 'short' | 'fair' | 'good' | 'strong';

/**
 * Length counts, not rules about kinds of characters (NIST SP 800-63B, appendix A); repeated characters count for
 * little, so that "aaaaaaaaaaaa" does not look good. A hint for the person, not a check.
 */
export function strengthOf(password: string): Strength {
  if (password.length < 10) return 'short';
  const effective = Math.min(password.length, new Set(password).size * 2);
  if (effective < 12) return 'fair';
  return effective < 18 ? 'good' : 'strong';
}
