"""Pictures for people: colours, overviews, contact sheets, pages."""
