"""The pages' two CMs and their story, for the tests that look at the surface of every address."""

from tests.publishing.views.conftest import ana as ana
from tests.publishing.views.conftest import as_ana as as_ana
from tests.publishing.views.conftest import make_video as make_video
from tests.publishing.views.conftest import story as story
