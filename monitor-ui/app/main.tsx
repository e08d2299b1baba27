// Where the page begins.
import { render } from 'preact';
import './style/tokens.css';
import './style/base.css';
import './style/layout.css';
import './style/panels.css';
import './style/inspector.css';
import './style/phone.css';
import { Page } from './page';
import { bindKeys } from './shell/keys';
import { applyTheme } from './shell/rail';
import { start } from './state/daemon';
import { followAddress } from './state/store';

const page = document.getElementById('page');
if (page) {
  applyTheme();
  bindKeys();
  addEventListener('hashchange', followAddress);
  addEventListener('popstate', followAddress);
  render(<Page />, page);
  void start();
}
