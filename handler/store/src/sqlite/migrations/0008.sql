-- Schema 8. When worlds were stopped that have a licence.

-- Since when it is hosted no longer; NULL: it was never stopped, or is hosted.
ALTER TABLE licence ADD COLUMN stopped INTEGER;
