import unhomoglyph from 'unhomoglyph';

/**
 * What two names have in common that look alike: the skeleton of Unicode Technical Standard 39, section 4, of the
 * name without what cannot be seen, regardless of case. Names may be mistaken for each other if their skeletons are equal.
 */
export function skeletonOf(name: string): string {
  const visible = name.replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu, '');
  // Before and after the case is taken away: "I" looks like "l" and "i" does not.
  return prototypes(prototypes(visible).toLowerCase()).toLowerCase().replace(/\s+/gu, ' ').trim();
}

function prototypes(text: string): string {
  return unhomoglyph(text.normalize('NFD')).normalize('NFD');
}
