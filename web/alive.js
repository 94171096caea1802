/**
 * Says so where the page's modules do not run: in an old browser, from a
 * folder that nobody serves, or from a server that calls them no JavaScript.
 * No module itself, for the same reason.
 */
addEventListener('load', () => {
  if (document.documentElement.dataset.alive) return;
  const problem = document.getElementById('problem');
  problem.textContent =
    'The page could not start. It needs a server that sends .mjs files as ' +
    'JavaScript, and a browser of the last years.';
  problem.hidden = false;
  document.getElementById('progress').hidden = true;
  document.getElementById('status').textContent = '';
});
