// @ts-check
// Text into the clipboard; where the browser does not allow it (no HTTPS, no permission), into a field to copy from.

/**
 * @param {string} text @param {HTMLInputElement} field shown and selected where it must be done by hand
 * @returns {Promise<boolean>} whether it is in the clipboard
 */
export async function copy(text, field) {
  field.value = text;
  try {
    await navigator.clipboard.writeText(text);
    field.hidden = true;
    return true;
  } catch (_refused) {
    field.hidden = false;
    field.focus();
    field.select();
    return false;
  }
}
