/** Page of what clinicians did with the cards, and the same as JSON for programs. */
export const FEEDBACK_PATH = '/admin/cds-feedback';
export const FEEDBACK_API_PATH = '/cds-services/admin/feedback';
