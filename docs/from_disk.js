// A browser loads no search index from the disk: a page that is opened from there has no search box.
if (location.protocol === "file:") {
  for (const box of document.querySelectorAll(".md-search, label[for=__search]")) box.remove();
}
